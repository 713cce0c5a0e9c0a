/** A picture as large as the window allows, with the way to save it. */
import { Save } from 'lucide-react';
import { navigation, useNavigation } from '../../navigation.ts';
import { useStore } from '../../store.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { useFileAction } from './file-bits.tsx';
import { usePreview } from './previews.ts';

export function ImageDialog() {
  const messageId = useNavigation((state) => state.imageMessageId) ?? '';
  const file = useStore((state) => Object.values(state.live?.pages ?? {}).flatMap((page) => page.messages).find((message) => message.id === messageId)?.file);
  const preview = usePreview(messageId, true);
  const act = useFileAction(messageId);
  return (
    <Dialog title={file?.name ?? 'Picture'} onClose={navigation.closeDialog}>
      {preview?.kind === 'shown' ? <img className="enlarged" src={preview.dataUrl} alt={file?.name ?? ''} /> : <p className="enlarged enlarged--empty" role="status">{preview?.sentence ?? ''}</p>}
      <div className="dialog__actions"><Button variant="primary" icon={Save} onClick={() => act('save')}>Save as…</Button></div>
    </Dialog>
  );
}
