/** Ctrl+/: every shortcut of the registry. */
import { keyCaps, shortcutIds, shortcuts, shortcutSections, type Shortcut } from '../../keys.ts';
import { navigation } from '../../navigation.ts';
import { useStore } from '../../store.ts';
import { Dialog } from '../../ui/dialog.tsx';
import './palette.css';

export function CheatSheet() {
  const platform = useStore((state) => state.account?.platform ?? '');
  const all = shortcutIds.map((id): Shortcut => shortcuts[id]);
  return (
    <Dialog wide title="Keyboard shortcuts" onClose={navigation.closeDialog}>
      <div className="sheet-keys" tabIndex={0} role="group" aria-label="Keyboard shortcuts">
        {shortcutSections.map((section) => (
          <section key={section} aria-label={section}>
            <h3>{section}</h3>
            <ul>{all.filter((shortcut) => shortcut.section === section).map((shortcut) => (
              <li key={shortcut.description}><span>{shortcut.description}</span><span className="caps">{keyCaps(shortcut.keys, platform).map((cap) => <kbd key={cap}>{cap}</kbd>)}</span></li>
            ))}</ul>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
