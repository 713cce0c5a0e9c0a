/** What the bundler provides to the page. */
/// <reference types="vite/client" />
