/** The first run: create an identity, bring one along, or try everything with Echo. Works without a network. */
import { useState } from 'react';
import type { AccountView } from '../../../shared/contract.ts';
import { Button } from '../../ui/button.tsx';
import { IdentityForm, type Intent } from './identity-form.tsx';
import { Sheet } from './sheet.tsx';

export function Welcome({ account }: { readonly account: AccountView }) {
  const [intent, setIntent] = useState<Intent | undefined>(undefined);
  if (intent !== undefined) return <IdentityForm intent={intent} account={account} onBack={() => setIntent(undefined)} />;
  return (
    <Sheet title="Messages to people who are not always online." text="What you write waits until it can arrive, and you see where it is at every moment. No account, no phone number: an identity is a key that is made here, on your computer.">
      <div className="sheet__choices">
        <Button variant="primary" size="large" autoFocus onClick={() => setIntent('create')}>Create an identity</Button>
        <Button size="large" onClick={() => setIntent('restore')}>I have an identity</Button>
      </div>
      <button type="button" className="link-button" onClick={() => setIntent('echo')}>Try it with Echo</button>
    </Sheet>
  );
}
