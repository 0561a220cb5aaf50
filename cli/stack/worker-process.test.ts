import { expect, test } from 'vitest';
import { workerEnvironment } from './worker-process.ts';

const stack = {
  addresses: { temporalAddress: 'h:1', namespace: 'n', uiUrl: null, mongoUri: 'mongodb://h', database: 'd' },
  stateDir: '/state',
};
const only = process.platform === 'linux' ? test : test.skip;

only('what computes asks for huge pages, unless the user says something of the allocator', () => {
  const tunables = (role: Parameters<typeof workerEnvironment>[0], given = {}) =>
    workerEnvironment(role, stack, given).GLIBC_TUNABLES;
  expect(tunables('gpu')).toBe('glibc.malloc.hugetlb=1');
  expect(tunables('all')).toBe('glibc.malloc.hugetlb=1');
  expect(tunables('control')).toBeUndefined();
  expect(tunables('gpu', { GLIBC_TUNABLES: 'glibc.malloc.arena_max=2' })).toBe('glibc.malloc.arena_max=2');
});

test('the addresses of the stack stand, whatever the environment says', () => {
  const env = workerEnvironment('sandbox', stack, { MONGODB_URI: 'mongodb://other', PATH: '/bin' });
  expect(env).toMatchObject({ MONGODB_URI: 'mongodb://h', TEMPORAL_ADDRESS: 'h:1', METAAGENTX_STATE: '/state' });
  expect(env.PATH).toBe('/bin');
});
