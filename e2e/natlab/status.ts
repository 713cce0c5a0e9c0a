/** The status of a laboratory as a table, and as JSON. */
import { plainAddress, type LabNode, type LinkSettings } from './model.ts';
import type { NodeStatus } from './lab.ts';

const titles = ['NODE', 'TYPE', 'NAT', 'UPLINK', 'LAN', 'LINK', 'NETEM'];

function settingsText(settings: LinkSettings): string {
  return Object.entries(settings).map(([name, value]) => `${name}=${String(value)}`).join(',') || '-';
}

function cells(node: LabNode): readonly string[] {
  const isRouter = node.type === 'router';
  return [
    node.name,
    isRouter && node.isCarrier ? 'carrier' : node.type,
    isRouter ? node.kind : node.type === 'host' ? `via ${node.router}` : '-',
    node.addresses.map(plainAddress).join(' '),
    isRouter ? `${node.lan}.0/24` : '-',
    node.link,
    node.emulation === undefined ? '-' : `out:${settingsText(node.emulation.out)} in:${settingsText(node.emulation.in)}`,
  ];
}

export function statusTable(nodes: readonly NodeStatus[]): string {
  const rows = [titles, ...nodes.map(({ node }) => cells(node))];
  const widths = titles.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()}\n`).join('');
}

export function statusJson(nodes: readonly NodeStatus[]): string {
  const byName = nodes.map(({ node, namespace, counts }): [string, unknown] => [node.name, { ...node, namespace, counts }]);
  return `${JSON.stringify({ nodes: Object.fromEntries(byName) }, undefined, 1)}\n`;
}
