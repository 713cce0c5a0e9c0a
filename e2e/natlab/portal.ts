/**
 * The page of a captive portal: `portal.ts CONFIGURATION PIDFILE`, started by portals.ts inside of the router. Whatever a host that has not accepted asks for on TCP
 * port 80 comes here (nat-rules.ts) and is sent on to the page; `POST /accept` opens the network for the host that it comes from.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { isIPv4 } from 'node:net';
import { openForHost } from './nat-rules.ts';

export interface PortalConfiguration { readonly gateway: string }

const [configurationFile = '', pidFile = ''] = process.argv.slice(2);
const port = 80;
const { gateway } = JSON.parse(readFileSync(configurationFile, 'utf8')) as PortalConfiguration;
const page = '<!doctype html><title>Welcome</title><h1>natlab portal</h1><form method="post" action="/accept"><button>Accept and connect</button></form>\n';

const server = createServer((request, response) => {
  const isOwn = request.headers.host === gateway;
  const host = request.socket.remoteAddress ?? '';
  if (request.method === 'POST' && request.url === '/accept' && isIPv4(host)) {
    execFileSync('nft', ['-f', '-'], { input: openForHost(host) });
    response.end('You are connected.\n');
  } else if (isOwn) response.setHeader('content-type', 'text/html').end(page);
  else response.writeHead(302, { location: `http://${gateway}/` }).end();
});
server.listen(port, gateway, () => {
  writeFileSync(pidFile, String(process.pid));
  writeFileSync(`${configurationFile}.ack`, '');
});
