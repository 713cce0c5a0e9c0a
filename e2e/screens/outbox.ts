/** The outbox: what waits, why, and what can be done. */
import type { Locator, Page } from '@playwright/test';

export class OutboxScreen {
  readonly page: Page;
  readonly table: Locator;
  readonly rows: Locator;
  readonly empty: Locator;

  constructor(page: Page) {
    this.page = page;
    this.table = page.getByRole('table', { name: 'Outbox' });
    this.rows = this.table.getByRole('row').filter({ has: page.getByRole('cell') });
    this.empty = page.getByText('Nothing is waiting');
  }

  row(text: string): Locator {
    return this.rows.filter({ hasText: text });
  }

  async retryNow(text: string): Promise<void> {
    await this.row(text).getByRole('button', { name: /^Retry now/ }).click();
  }

  async cancel(text: string): Promise<void> {
    await this.row(text).getByRole('button', { name: /^Cancel/ }).click();
  }

  async retryAll(): Promise<void> {
    await this.page.getByRole('button', { name: 'Retry all' }).click();
  }

  /** The columns whose title does not stand over what is in them: by how many pixels their edges (the outer ones of numbers) differ. */
  async misalignedTitles(): Promise<readonly string[]> {
    return this.table.evaluate((table) => {
      const textBox = (element: Element): DOMRect => {
        const range = document.createRange();
        range.selectNodeContents(element);
        return range.getBoundingClientRect();
      };
      const rows = [...table.querySelectorAll('[role=row]')];
      const titles = [...table.querySelectorAll('[role=columnheader]')];
      return titles.flatMap((title, column) => {
        if (column === titles.length - 1) return [];
        const edge = getComputedStyle(title).textAlign === 'right' ? 'right' : 'left';
        return rows.slice(1).flatMap((row) => {
          const cell = row.querySelectorAll('[role=cell]')[column];
          const off = cell === undefined ? Number.NaN : Math.abs(textBox(cell)[edge] - textBox(title.querySelector('button span') ?? title)[edge]);
          return off <= 1 ? [] : [`${title.textContent}: ${String(off)}`];
        });
      });
    });
  }

  /** How far it can be scrolled sideways, in pixels. */
  async sidewaysScroll(): Promise<number> {
    return this.table.evaluate((table) => table.scrollWidth - table.clientWidth);
  }

  async sortBy(column: string): Promise<void> {
    await this.table.getByRole('columnheader', { name: new RegExp(`^${column}`) }).getByRole('button').click();
  }

  /** What a row says in one column, by the title of the column. */
  async cell(text: string, column: string): Promise<string> {
    const titles = await this.table.getByRole('columnheader').allInnerTexts();
    return this.row(text).getByRole('cell').nth(titles.findIndex((title) => title.startsWith(column))).innerText();
  }

  /** How often a message has been tried. */
  async tries(text: string): Promise<number> {
    return Number(await this.cell(text, 'Tries'));
  }
}
