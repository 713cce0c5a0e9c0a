/**
 * Waypost's client of port control inside of a host, with a main socket whose port it has mapped. It writes a line of JSON for each report and each word that the main
 * socket hears, and takes commands the same way. Its clock can be put forward together with a router's (`Lab.age`). Driven by port-control-client.ts.
 */
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { open, parse } from './probe-datagrams.ts';
import { systemClock } from '../../src/main/host/clock.ts';
import { PortControlHost, type PortControlReport } from '../../src/main/host/port-control-host.ts';

export type ClientCommand = { readonly do: 'age'; readonly seconds: number } | { readonly do: 'changed' } | { readonly do: 'stop' };
export type ClientLine = { readonly port: number } | { readonly report: PortControlReport } | { readonly word: string };

const secondMs = 1_000;

function tell(line: ClientLine): void { process.stdout.write(`${JSON.stringify(line)}\n`); }

async function serve(): Promise<void> {
  const main = await open();
  main.on('message', (bytes) => {
    const { word } = parse(bytes);
    if (word !== undefined) tell({ word });
  });
  let aheadMs = 0;
  const clock = { now: () => ({ ...systemClock.now(), monotonicMs: systemClock.now().monotonicMs + aheadMs }) };
  const client = new PortControlHost({ clock, random: randomBytes, onChange: (report) => { tell({ report }); } });
  tell({ port: main.address().port });
  await client.start(main.address().port);
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line) as ClientCommand;
    switch (command.do) {
      case 'age':
        aheadMs += command.seconds * secondMs;
        client.clockMoved();
        break;
      case 'changed': await client.networkChanged(); break;
      case 'stop': await client.stop(); break;
    }
  }
  await client.stop();
  main.close();
}

if (import.meta.main) await serve();
