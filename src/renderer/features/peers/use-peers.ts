/** Who is connected, asked for again and again while somebody looks. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { PeerView } from '../../../shared/peer-views.ts';
import { errorSentence, useServices } from '../../services.tsx';

const refreshMs = 2_000;

export interface Peers {
  /** Undefined before the first answer. */
  readonly peers: readonly PeerView[] | undefined;
  readonly problem: string | undefined;
  readonly refresh: () => void;
}

export function usePeers(): Peers {
  const { client } = useServices();
  const [peers, setPeers] = useState<readonly PeerView[] | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  /** Answers may come in another order than they were asked for. */
  const asked = useRef(0);
  const refresh = useCallback((): void => {
    asked.current += 1;
    const number = asked.current;
    client.peers.list().then(
      (result) => {
        if (number !== asked.current) return;
        setPeers(result.peers);
        setProblem(undefined);
      },
      (thrown: unknown) => { if (number === asked.current) setProblem(errorSentence(thrown)); },
    );
  }, [client]);
  useEffect(() => {
    const refreshIfSeen = (): void => { if (document.visibilityState !== 'hidden') refresh(); };
    refreshIfSeen();
    const timer = setInterval(refreshIfSeen, refreshMs);
    document.addEventListener('visibilitychange', refreshIfSeen);
    return () => {
      asked.current += 1;
      clearInterval(timer);
      document.removeEventListener('visibilitychange', refreshIfSeen);
    };
  }, [refresh]);
  return { peers, problem, refresh };
}
