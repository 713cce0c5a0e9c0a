/** Decides about each request Chromium is about to make: navigation rules first, then the request filter, then the served schemes. */
import { field, isRecord, textField, type Json } from './json.ts';
import { schemeHandler, servedSchemes } from './protocol.ts';
import { defaultSession } from './session.ts';
import { toAppUrl, toBrowserPolicy } from './url-mapping.ts';

export interface InterceptingPage {
  readonly mainFrameId: string;
  /** Addresses whose loading the main process itself asked for, or that are shown already. */
  isExpected(url: string): boolean;
  /** Tells the application that the page wants to go elsewhere; true where it objects. */
  isNavigationVetoed(url: string): boolean;
  send(method: string, parameters: Json): Promise<Json>;
}

async function responseOf(url: string, request: unknown): Promise<Response | undefined> {
  const handler = schemeHandler(url.split(':')[0] ?? '');
  if (handler === undefined) return undefined;
  const headers = new Headers();
  const given = field(request, 'headers');
  for (const [name, value] of Object.entries(isRecord(given) ? given : {})) headers.set(name, String(value));
  const method = textField(request, 'method');
  const body = method === 'GET' || method === 'HEAD' ? {} : { body: textField(request, 'postData') };
  return handler(new Request(url, { method, headers, ...body }));
}

async function fulfil(page: InterceptingPage, requestId: string, response: Response): Promise<void> {
  const responseHeaders = [...response.headers].map(([name, value]) => ({ name, value: name === 'content-security-policy' ? toBrowserPolicy(value, servedSchemes) : value }));
  const body = Buffer.from(await response.arrayBuffer()).toString('base64');
  await page.send('Fetch.fulfillRequest', { requestId, responseCode: response.status, responseHeaders, body });
}

/** Answers one `Fetch.requestPaused` event. */
export async function answerRequest(page: InterceptingPage, paused: Json): Promise<void> {
  const requestId = textField(paused, 'requestId');
  const browserUrl = textField(paused, 'request', 'url');
  const url = toAppUrl(browserUrl, servedSchemes);
  const resourceType = textField(paused, 'resourceType');
  const refuse = (errorReason: string): Promise<Json> => page.send('Fetch.failRequest', { requestId, errorReason });

  // Chromium asks for an icon of its own accord, Electron does not.
  if (url.endsWith('/favicon.ico')) {
    await page.send('Fetch.fulfillRequest', { requestId, responseCode: 404 });
    return;
  }
  const isNavigation = resourceType === 'Document' && textField(paused, 'frameId') === page.mainFrameId;
  if (isNavigation && !page.isExpected(url) && page.isNavigationVetoed(url)) {
    // Any other reason would replace the page by an error page.
    await refuse('Aborted');
    return;
  }
  if (await defaultSession.isCancelled({ url, method: textField(paused, 'request', 'method'), resourceType })) {
    await refuse(isNavigation ? 'Aborted' : 'BlockedByClient');
    return;
  }
  const response = url === browserUrl ? undefined : await responseOf(url, field(paused, 'request'));
  if (response === undefined) await page.send('Fetch.continueRequest', { requestId });
  else await fulfil(page, requestId, response);
}
