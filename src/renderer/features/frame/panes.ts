/** Moving between panes with F6: every pane carries `data-pane`; one inside another counts by itself. `data-pane-focus` says where to land. */

const focusable = 'button:not([disabled]), [href], input:not([disabled]):not([hidden]), textarea:not([disabled]), select, [tabindex]:not([tabindex="-1"])';

const isVisible = (element: HTMLElement): boolean => element.offsetParent !== null;

function firstTarget(pane: HTMLElement): HTMLElement | undefined {
  const own = (selector: string): HTMLElement | undefined => [...pane.querySelectorAll<HTMLElement>(selector)].find((element) => isVisible(element) && element.closest('[data-pane]') === pane);
  return own('[data-pane-focus]') ?? own(focusable);
}

export function focusPane(step: 1 | -1): void {
  const panes = [...document.querySelectorAll<HTMLElement>('[data-pane]')].filter(isVisible);
  const current = panes.findIndex((pane) => pane === document.activeElement?.closest('[data-pane]'));
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
