/** A process that helps this one, whoever started it. Messages are plain JSON. */
export interface HelperProcess {
  send(message: object): void;
  onMessage(listener: (message: unknown) => void): void;
  onExit(listener: () => void): void;
  kill(): void;
}
