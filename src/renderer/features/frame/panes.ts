/** Moving between panes with F6: every pane carries `data-pane`, and remembers nothing but what is focusable in it now. */

const focusable = 'button:not([disabled]), [href], input:not([disabled]):not([hidden]), textarea:not([disabled]), select, [tabindex]:not([tabindex="-1"])';

const isVisible = (element: HTMLElement): boolean => element.offsetParent !== null;

function firstTarget(pane: HTMLElement): HTMLElement | undefined {
  const preferred = pane.querySelector<HTMLElement>('[data-pane-focus]');
  if (preferred !== null && isVisible(preferred)) return preferred;
  return [...pane.querySelectorAll<HTMLElement>(focusable)].find(isVisible);
}

export function focusPane(step: 1 | -1): void {
  const panes = [...document.querySelectorAll<HTMLElement>('[data-pane]')].filter(isVisible);
  const current = panes.findIndex((pane) => pane.contains(document.activeElement));
  for (let offset = 1; offset <= panes.length; offset += 1) {
    const start = current < 0 && step < 0 ? panes.length : current;
    const pane = panes[(start + step * offset + panes.length * 2) % panes.length];
    const target = pane === undefined ? undefined : firstTarget(pane);
    if (target !== undefined) {
      target.focus();
      return;
    }
  }
}
