/** Promises that a script checks by name, and the line `N passed, N failed` that its output ends with. */

export class Checks {
  readonly #write: (line: string) => void;
  #passed = 0;
  #failed = 0;

  constructor(write: (line: string) => void = (line) => { process.stdout.write(`${line}\n`); }) {
    this.#write = write;
  }

  get failed(): number { return this.#failed; }

  /** `detail` says what was found: the numbers where it holds, the difference where it does not. */
  check(promise: string, holds: boolean, detail = ''): void {
    if (holds) this.#passed += 1;
    else this.#failed += 1;
    this.#write(`  ${holds ? 'ok    ' : 'FAILED'} ${promise}${detail === '' ? '' : ` (${detail})`}`);
  }

  /** The last line. A script that checked nothing has proved nothing. */
  finish(): number {
    if (this.#passed + this.#failed === 0) this.#failed = 1;
    this.#write(`${this.#passed} passed, ${this.#failed} failed`);
    return this.#failed === 0 ? 0 : 1;
  }
}
