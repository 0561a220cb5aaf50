/**
 * Where this project's workers and commands find Temporal and MongoDB, and how patient they are. Every field has a
 * default, documented in `shared/config/temporal-config.ts`; a key written here is a departure from it. Connection
 * settings (address, TLS, API key) come from TEMPORAL_* variables or the named profile of `temporal.toml`.
 */
import { defineConfig } from './shared/config/temporal-config.ts';

export default defineConfig({});
