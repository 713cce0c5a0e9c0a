/** `protocol.handle`: the schemes the application serves itself. How they reach Chromium is url-mapping.ts and request-interception.ts. */

export type SchemeHandler = (request: Request) => Response | Promise<Response>;

const handlers = new Map<string, SchemeHandler>();
let isTooLate = false;

/** Privileges must be known before the browser is ready, as in Electron. */
export function closeSchemeRegistration(): void {
  isTooLate = true;
}

export const servedSchemes: ReadonlySet<string> = new (class extends Set<string> {
  override has(scheme: string): boolean {
    return handlers.has(scheme);
  }
})();

export function schemeHandler(scheme: string): SchemeHandler | undefined {
  return handlers.get(scheme);
}

export const protocol = {
  registerSchemesAsPrivileged(_schemes: readonly object[]): void {
    if (isTooLate) throw new Error('protocol.registerSchemesAsPrivileged should be called before app is ready');
  },
  handle(scheme: string, handler: SchemeHandler): void {
    if (handlers.has(scheme)) throw new Error(`Failed to register protocol: ${scheme}`);
    handlers.set(scheme, handler);
  },
  unhandle(scheme: string): void {
    handlers.delete(scheme);
  },
  isProtocolHandled: (scheme: string): boolean => handlers.has(scheme),
};
