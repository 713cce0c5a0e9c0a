/** What follows from a file's name, kind and state: how it is drawn and what can be done with it. Pure. */
import { isShownPicture, type FileView } from '../../../shared/file-views.ts';
import type { Headline, MessageView } from '../../../shared/views.ts';

export type FileKind = 'image' | 'audio' | 'video' | 'archive' | 'text' | 'table' | 'other';
export type FileAction = 'download' | 'pause' | 'resume' | 'retry' | 'save' | 'cancel';

/** Anything else stays closed until it is saved. */
export const isPicture = (file: FileView): boolean => isShownPicture(file.mediaType, file.sizeBytes);

/** Ours are here from the start, until their copy is deleted; of others', when all of it has come. */
export const isPictureHere = (file: FileView, direction: MessageView['direction']): boolean => (direction === 'out' ? file.state.state !== 'failed' && file.copyGone !== true : file.state.state === 'ready');

/** A data URL of one of the four kinds and nothing else, whatever it was said to be. */
export const isPictureUrl = (dataUrl: string): boolean => /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]/.test(dataUrl);

const kindsByExtension: Readonly<Record<string, FileKind>> = {
  zip: 'archive', gz: 'archive', tgz: 'archive', xz: 'archive', zst: 'archive', bz2: 'archive', '7z': 'archive', rar: 'archive', tar: 'archive',
  csv: 'table', xls: 'table', xlsx: 'table', ods: 'table', pdf: 'text', doc: 'text', docx: 'text', odt: 'text', txt: 'text', md: 'text', rtf: 'text',
  mp3: 'audio', ogg: 'audio', opus: 'audio', flac: 'audio', wav: 'audio', m4a: 'audio', mp4: 'video', mkv: 'video', webm: 'video', mov: 'video',
  png: 'image', jpg: 'image', jpeg: 'image', gif: 'image', webp: 'image', svg: 'image', heic: 'image', tiff: 'image',
};

/** For the icon only, so the extension decides where the media type says nothing. */
export function fileKind(name: string, mediaType = ''): FileKind {
  const family = mediaType.split('/')[0];
  if (family === 'image' || family === 'audio' || family === 'video' || family === 'text') return family;
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(kindsByExtension, extension) ? (kindsByExtension[extension] ?? 'other') : 'other';
}

/** Characters of the stem that stay in sight before the extension. */
const stemEnd = 4;
const extensionMaximum = 10;

/** Cuts a name in two: the first part may be shortened, the second one, with the extension, always shows. */
export function splitName(name: string): readonly [start: string, end: string] {
  const characters = Array.from(name);
  const dot = characters.lastIndexOf('.');
  const extension = dot <= 0 ? 0 : characters.length - dot;
  const end = stemEnd + (extension > extensionMaximum ? 0 : extension);
  const cut = Math.max(0, characters.length - end);
  return cut === 0 ? [name, ''] : [characters.slice(0, cut).join(''), characters.slice(cut).join('')];
}

const onItsWay = (headline: Headline): boolean => headline.state === 'queued' || headline.state === 'sending' || headline.state === 'stored';

/** What can be done, the most likely first. */
export function fileActions({ file, direction, headline }: Pick<MessageView, 'direction' | 'headline'> & { readonly file: FileView }): readonly FileAction[] {
  const { state } = file;
  if (direction === 'out') return state.state !== 'failed' && (state.state !== 'ready' || onItsWay(headline)) ? ['cancel'] : [];
  switch (state.state) {
    case 'moving': return ['pause', 'cancel'];
    case 'ready': return ['save'];
    case 'failed': return state.reason === 'expired' || state.reason === 'taken-back' ? [] : ['retry'];
    case 'waiting':
      switch (state.reason) {
        case 'not-asked': return ['download'];
        case 'paused': return ['resume', 'cancel'];
        case 'disk-full': return ['retry', 'cancel'];
        case 'no-source': case 'relay-full': case 'letter-first': case 'others-first': return ['cancel'];
      }
  }
}
