/** A text as a QR code: one SVG path, dark on white in both themes, since many readers do not accept it inverted. */
import { create } from 'qrcode';
import { useMemo } from 'react';

/** The standard asks for four modules of quiet around the code (ISO/IEC 18004, section 6.3.8). */
const quietModules = 4;

function shape(text: string): { readonly path: string; readonly size: number } {
  const { modules } = create(text, { errorCorrectionLevel: 'M' });
  let path = '';
  for (let y = 0; y < modules.size; y += 1) {
    for (let x = 0; x < modules.size; x += 1) {
      if (modules.get(y, x) !== 0) path += `M${String(x + quietModules)} ${String(y + quietModules)}h1v1h-1z`;
    }
  }
  return { path, size: modules.size + 2 * quietModules };
}

export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const { path, size } = useMemo(() => shape(text), [text]);
  return (
    <svg className="qr" role="img" aria-label={label} viewBox={`0 0 ${String(size)} ${String(size)}`} shapeRendering="crispEdges">
      <path className="qr__modules" d={path} />
    </svg>
  );
}
