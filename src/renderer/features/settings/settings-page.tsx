/** Settings: who you are, what you show, how it looks, Echo, blocked people, this installation. */
import { useState, type SubmitEvent, type ReactNode } from 'react';
import type { AccountView } from '../../../shared/contract.ts';
import { meteredHint } from '../../../shared/metered-sentence.ts';
import { carryingSentence } from '../../../shared/relay-sentences.ts';
import { echoSentence, shortKey } from '../../../shared/sentences.ts';
import { carriesNothing } from '../../../shared/relay-views.ts';
import { navigation } from '../../navigation.ts';
import { useServices } from '../../services.tsx';
import { useStore, useView } from '../../store.ts';
import { Dot, Fingerprint } from '../../ui/bits.tsx';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Segments, SwitchRow } from '../../ui/switch-row.tsx';
import { Page } from '../frame/page.tsx';
import { Notices } from '../network/notices.tsx';
import { DirectoryRelays } from './directory-relays.tsx';
import { appVersion } from './version.ts';

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return <section className="card stack" aria-label={title}><h2>{title}</h2>{children}</section>;
}

export function SettingsPage() {
  const { client, run } = useServices();
  const settings = useView((view) => view.settings);
  return (
    <Page title="Settings">
      <div className="page__column">
        <Identity />
        <Section title="Appearance">
          <div className="switch-row"><div><div className="field__label">Theme</div><div className="muted">System follows your desktop.</div></div>
            <Segments legend="Theme" value={settings.theme} options={[['system', 'System'], ['light', 'Light'], ['dark', 'Dark']]} onChange={(theme) => { void run(() => client.settings.update({ theme })); }} />
          </div>
        </Section>
        <Section title="Privacy">
          <SwitchRow label="Read receipts" hint="Friends see when you have read their messages. Without it they still see that a message was delivered." checked={settings.readReceipts} onChange={(readReceipts) => { void run(() => client.settings.update({ readReceipts })); }} />
          <SwitchRow label="Hide my network address" hint="Where they can, computers of friends and yours talk directly: faster, and each sees the other's network address. With this on, everything goes through relays." checked={settings.hideAddress} onChange={(hideAddress) => { void run(() => client.settings.update({ hideAddress })); }} />
          <SwitchRow label="Find friends in the local network" hint="Computers of friends in the same network find each other without a relay and without the internet. Others in it can see that Waypost runs here, and not who your friends are. Off while your address is hidden." checked={settings.lanDiscovery && !settings.hideAddress} disabled={settings.hideAddress} onChange={(lanDiscovery) => { void run(() => client.settings.update({ lanDiscovery })); }} />
          <SwitchRow label="Guess ports for direct paths" hint="Some routers let a friend's computer in only by a port that nobody can know. Waypost then tries up to 1,024 of them for 20 seconds, at that friend's router alone and a few times an hour. With this off such a friend is reached through relays." checked={settings.guessPorts} onChange={(guessPorts) => { void run(() => client.settings.update({ guessPorts })); }} />
          <Blocked />
        </Section>
        <Friends />
        <Section title="Finding people"><DirectoryRelays /></Section>
        <Section title="Data">
          <SwitchRow label="This line is metered" hint={meteredHint} checked={settings.metered} onChange={(metered) => { void run(() => client.settings.update({ metered })); }} />
        </Section>
        <Echo />
        <Installation />
      </div>
    </Page>
  );
}

function Identity() {
  const { client, run } = useServices();
  const identity = useView((view) => view.identity);
  const [name, setName] = useState(identity.name);
  const changed = name.trim() !== '' && name.trim() !== identity.name;
  const save = (event: SubmitEvent): void => {
    event.preventDefault();
    if (changed) void run(async () => { await client.account.rename({ name: name.trim() }); navigation.toast('good', 'Your name is saved. New links carry it.'); });
  };
  return (
    <Section title="You">
      <form className="stack stack--tight" onSubmit={save}>
        <TextField label="Name" hint="Shown to friends in the links you share." maxLength={64} autoComplete="off" value={name} onChange={(event) => setName(event.target.value)} />
        {changed ? <div><Button type="submit" variant="primary">Save name</Button></div> : null}
      </form>
      <dl className="facts">
        <dt>Fingerprint</dt><dd><Fingerprint fingerprint={identity.fingerprint} /></dd>
        <dt>Address</dt><dd><span className="row"><span className="mono" title={identity.address}>{shortKey(identity.publicKey)}</span><CopyButton iconOnly text={identity.address} label="Copy address" /></span></dd>
      </dl>
      <div className="switch-row">
        <div><div className="field__label">24 words</div><div className="muted">{identity.wordsConfirmed ? 'You have confirmed them. Keep the paper safe.' : 'Not confirmed yet. Without them nobody can restore this identity.'}</div></div>
        <Button onClick={() => navigation.openDialog('words')}>Show words</Button>
      </div>
    </Section>
  );
}

function Blocked() {
  const { client, run } = useServices();
  const conversations = useView((view) => view.conversations);
  const blocked = conversations.filter((conversation) => conversation.standing === 'blocked');
  return (
    <div className="stack stack--tight">
      <h3>Blocked people</h3>
      {blocked.length === 0 ? <p className="muted">Nobody is blocked.</p> : (
        <ul className="stack stack--tight" aria-label="Blocked people">
          {blocked.map((one) => <li key={one.id} className="row"><span className="grow truncate">{one.name}</span><Button size="small" aria-label={`Unblock ${one.name}`} onClick={() => { void run(() => client.contacts.unblock({ publicKey: one.publicKey })); }}>Unblock</Button></li>)}
        </ul>
      )}
    </div>
  );
}

function Friends() {
  const { client, run } = useServices();
  const settings = useView((view) => view.settings);
  const carrying = useView((view) => view.carrying);
  const { tone, sentence } = carryingSentence(carrying ?? carriesNothing);
  return (
    <Section title="Friends’ computers">
      <SwitchRow label="Carry mail for friends" hint="Where it can be reached, this computer holds a little sealed mail for your friends and passes their packets on, so that you stay in touch when relays fail. They see its network address." checked={settings.carryForFriends} onChange={(carryForFriends) => { void run(() => client.settings.update({ carryForFriends })); }} />
      {settings.carryForFriends ? <p className="row muted"><Dot tone={settings.hideAddress ? 'warning' : tone} />{settings.hideAddress ? 'Your network address is hidden, so this computer carries for nobody.' : sentence}</p> : null}
      <SwitchRow label="Let friends carry for me" hint="Friends who offer it hold mail for you and pass your packets on, when your relays do not answer. They see when and how much, never what." checked={settings.useFriendsRelays} onChange={(useFriendsRelays) => { void run(() => client.settings.update({ useFriendsRelays })); }} />
    </Section>
  );
}

function Echo() {
  const { client, run } = useServices();
  const echo = useView((view) => view.echo);
  const { tone, sentence } = echoSentence(echo);
  const start = async (): Promise<void> => {
    const started = await run(() => client.echo.start());
    if (started !== undefined) navigation.openConversation(started.conversationId);
  };
  return (
    <Section title="Echo">
      {echo.state === 'absent'
        ? <div className="switch-row"><p className="muted">{sentence} Take it offline, write to it, bring it back, and watch your message wait and arrive.</p><Button onClick={() => { void start(); }}>Start Echo</Button></div>
        : <><SwitchRow label="Echo is online" hint="Take it offline, write to it, bring it back, and watch your message wait and arrive." checked={echo.state === 'online'} disabled={echo.state === 'starting'} onChange={(online) => { void run(() => client.echo.setOnline({ online })); }} /><p className="row muted"><Dot tone={tone} />{sentence}</p></>}
    </Section>
  );
}

const protections: Readonly<Record<AccountView['protection'], string>> = {
  os: 'Kept by the key store of this system.',
  passphrase: 'Kept under your passphrase, which you enter when Waypost starts.',
  file: 'Kept in a file that only your user account can read.',
  unavailable: 'This system offers no key store.',
};

function Installation() {
  const protection = useStore((state) => state.account?.protection ?? 'unavailable');
  const relays = useView((view) => view.connection);
  return (
    <Section title="This installation">
      <dl className="facts">
        <dt>Version</dt><dd className="numeric">{appVersion}</dd>
        <dt>Your key</dt><dd>{protections[protection]}</dd>
        <dt>Relays</dt><dd>{relays.relaysConnected} of {relays.relaysConfigured} connected</dd>
      </dl>
      <Notices />
    </Section>
  );
}
