/** Whether friends are looked for in the network that this computer is in, in a sentence, and the mark that it is not trusted. */
import { useCallback, useEffect, useState } from 'react';
import { lanAction, lanSentence } from '../../../shared/lan-sentences.ts';
import type { LanView } from '../../../shared/views.ts';
import { useServices } from '../../services.tsx';
import { Button } from '../../ui/button.tsx';

const refreshMs = 3_000;

export function LocalNetwork() {
  const { client, run } = useServices();
  const [lan, setLan] = useState<LanView | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  // What could not be asked is not shown: whoever answers nothing else is told of above.
  const refresh = useCallback((): void => { if (document.visibilityState !== 'hidden') client.network.lan().then(setLan, () => undefined); }, [client]);
  useEffect(() => {
    refresh();
    const timer = setInterval(refresh, refreshMs);
    return () => clearInterval(timer);
  }, [refresh]);
  if (lan === undefined) return null;
  const action = lanAction(lan);
  const mark = (trusted: boolean): void => {
    setBusy(true);
    void run(async () => { setLan(await client.network.trust({ trusted })); }).finally(() => setBusy(false));
  };
  return (
    <section className="stack" aria-labelledby="local-network">
      <div className="your-network__header">
        <h2 id="local-network">Local network</h2>
        {action === undefined ? null : <Button disabled={busy} onClick={() => mark(action.trusted)}>{action.label}</Button>}
      </div>
      <p role="status">{lanSentence(lan)}</p>
    </section>
  );
}
