/** A worker thread does not inherit the TypeScript loader on every Node version: it is registered here, then the thread starts. */
import { register } from 'tsx/esm/api';

register();
await import('./thread.ts');
