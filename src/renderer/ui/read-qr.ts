/** Reads a QR code from a picture that may come from anywhere: bounded in bytes and pixels before anything is decoded at full size. */
import jsQR from 'jsqr';

const pictureMaximumBytes = 20_000_000;
/** A phone photo scaled to this still has several pixels per module. */
const longestSidePixels = 1_600;

export type QrResult = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly sentence: string };
const failed = (sentence: string): QrResult => ({ ok: false, sentence });

export async function readQr(picture: Blob): Promise<QrResult> {
  if (picture.size > pictureMaximumBytes) return failed('This picture is larger than 20 MB. Use a smaller one.');
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(picture);
  } catch {
    return failed('This file is not a picture that can be read here. Use PNG, JPEG or WebP.');
  }
  const scale = Math.min(1, longestSidePixels / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (context === null) return failed('Pictures cannot be read in this window. Paste the link instead.');
  // Transparent pictures would decode as black on black.
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const code = jsQR(context.getImageData(0, 0, width, height).data, width, height);
  return code === null || code.data === '' ? failed('There is no QR code in this picture that can be read. Try a sharper or larger one.') : { ok: true, text: code.data };
}
