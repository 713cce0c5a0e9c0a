/** Entry of the page: opens the bridge, starts following the state, draws the window. */
import './strict-csp.ts';
import { CSPProvider } from '@base-ui/react/csp-provider';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { openBridge } from './bridge.ts';
import { ServicesProvider } from './services.tsx';
import { store } from './store.ts';
import { startSync } from './sync.ts';
import './theme.css';
import './ui/ui.css';

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no place to draw in.');

try {
  const { client, files } = await openBridge();
  const sync = startSync(client, store);
  createRoot(root).render(
    <StrictMode>
      <CSPProvider disableStyleElements>
        <ServicesProvider client={client} files={files} sync={sync}><App /></ServicesProvider>
      </CSPProvider>
    </StrictMode>,
  );
} catch (thrown) {
  root.textContent = thrown instanceof Error ? thrown.message : 'Waypost could not start.';
}
