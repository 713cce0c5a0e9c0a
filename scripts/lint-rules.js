/**
 * The rules that are this project's own, as flat ESLint configuration. They keep the layers apart, so that the engine runs without a
 * machine under it and the renderer without privileges, and they keep each dangerous call in the one file where it is looked after.
 */

const nodeModules = { regex: '^node:', message: 'This layer has no access to the machine.' };
const bareNodeModules = { regex: '^(fs|path|os|crypto|net|dgram|http|https|child_process|worker_threads)(/.*)?$', message: 'Write node: and only in a layer that may.' };
const electron = { regex: '^electron($|/)', message: 'Only src/main/app, src/main/ipc, src/main/index.ts and the preload see electron.' };
const packagesExcept = (allowed) => ({ regex: `^(?!\\.|node:|electron$|electron/|(${allowed.join('|')})($|/))`, message: 'This package is not allowed in this layer.' });
const withoutExtension = { regex: '^\\.{1,2}/(?!.*\\.(ts|tsx|css|json|svg|png|woff2|wasm|js|mjs)(\\?.*)?$)', message: 'Write the file extension: Node runs these files as they are.' };
const layers = (names, message) => ({ regex: `^(\\.\\./)+(src/)?(main/)?(${names.join('|')})/`, message });

const testFiles = ['**/*.test.ts', '**/*.test.tsx'];

/**
 * One group per layer. `always` holds for tests too: a test may use the machine, but it must not hide a dependency in the wrong direction.
 */
const directions = [
  {
    files: ['src/shared/**'],
    machine: [nodeModules, bareNodeModules, packagesExcept(['zod', '@noble/hashes', '@noble/curves', '@scure/base', '@scure/bip39'])],
    always: [electron, layers(['main', 'renderer', 'preload'], 'shared imports nothing but shared.')],
  },
  {
    files: ['src/main/engine/**'],
    machine: [nodeModules, bareNodeModules, packagesExcept(['@noble', '@scure'])],
    always: [electron, layers(['host', 'app', 'ipc', 'cli', 'diagnostics', 'renderer', 'preload'], 'The engine imports the engine and shared.')],
  },
  {
    files: ['src/main/host/**'],
    machine: [],
    always: [electron, layers(['app', 'ipc', 'cli', 'renderer', 'preload'], 'The host imports the engine and shared.')],
  },
  {
    files: ['src/main/cli/**', 'src/main/diagnostics/**'],
    machine: [],
    always: [electron, layers(['app', 'ipc', 'renderer', 'preload'], 'This layer runs without a window.')],
  },
  { files: ['src/main/app/**', 'src/main/ipc/**', 'src/main/index.ts'], machine: [], always: [layers(['renderer', 'preload'], 'The main process does not import renderer code.')] },
  { files: ['src/renderer/**'], machine: [nodeModules, bareNodeModules], always: [electron, layers(['main', 'preload'], 'The renderer imports renderer and shared.')] },
  { files: ['src/preload/**'], machine: [nodeModules, bareNodeModules], always: [layers(['main', 'renderer'], 'The preload imports shared.')] },
  { files: ['sim/**', 'bench/**', 'scripts/**', 'e2e/host/**'], machine: [], always: [] },
];

const restrict = (patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });

const newBrowserWindow = { selector: "NewExpression[callee.name='BrowserWindow']", message: 'Windows are made in src/main/app/window.ts, where their preferences are looked after.' };
const newBrowserWindowMember = { selector: "NewExpression[callee.property.name='BrowserWindow']", message: newBrowserWindow.message };
const ipcMainName = { selector: "ImportSpecifier[imported.name='ipcMain']", message: 'Handlers are registered in src/main/ipc, where the sender is checked.' };
const ipcMainMember = { selector: "MemberExpression[property.name='ipcMain']", message: ipcMainName.message };
const evaluated = { selector: "CallExpression[callee.property.name='executeJavaScript']", message: 'Never run text as code in a window.' };
const syntax = (...selectors) => ({ 'no-restricted-syntax': ['error', ...selectors] });

/** What a sans-IO core must be handed instead of taking it. */
const engineGlobals = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'performance', 'crypto', 'process', 'Buffer', 'fetch', 'WebSocket', 'console'];
const engineProperties = [
  { object: 'Date', property: 'now', message: 'Time is handed to the engine.' },
  { object: 'Math', property: 'random', message: 'Randomness is handed to the engine.' },
  ...engineGlobals.map((property) => ({ object: 'globalThis', property, message: 'The engine is handed what it needs.' })),
];

export const projectRules = [
  ...directions.map(({ files, machine, always }) => ({ files, ignores: testFiles, rules: restrict([...machine, ...always, withoutExtension]) })),
  ...directions.map(({ files, always }) => ({ files: files.flatMap((glob) => testsIn(glob)), rules: restrict([...always, withoutExtension]) })),
  {
    files: ['src/main/engine/**'],
    ignores: testFiles,
    rules: {
      'no-restricted-globals': ['error', ...engineGlobals.map((name) => ({ name, message: 'The engine is handed what it needs.' }))],
      'no-restricted-properties': ['error', ...engineProperties],
      'no-restricted-syntax': ['error', { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time is handed to the engine.' }],
    },
  },
  { files: ['src/main/**'], ignores: ['src/main/engine/**'], rules: syntax(newBrowserWindow, newBrowserWindowMember, ipcMainName, ipcMainMember, evaluated) },
  { files: ['src/main/ipc/**'], rules: syntax(newBrowserWindow, newBrowserWindowMember, evaluated) },
  { files: ['src/main/app/window.ts'], rules: syntax(ipcMainName, ipcMainMember, evaluated) },
];

/** The test files a layer's glob covers. */
function testsIn(glob) {
  return glob.endsWith('/**') ? [`${glob}/*.test.ts`, `${glob}/*.test.tsx`] : [];
}
