import js from '@eslint/js';
import importX from 'eslint-plugin-import-x';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import tseslint from 'typescript-eslint';

/** Each folder's permitted direction (CONTRIBUTING.md, "Who may import whom") as import-x zones. */
const zone = (target: string, from: string | string[], message: string) => ({ target, from, message });
const zones = [
  zone(
    './shared',
    ['./workflows', './activities', './workers', './cli', './runs'],
    'shared/ is pure: it imports nothing outside shared/.',
  ),
  zone('./shared/domain', ['./shared/!(domain)/**/*'], 'shared/domain imports only itself and shared/errors.ts.'),
  zone('./shared/{plan,config,script}', ['./shared/{graph,onnx,model,rl}'], 'plan, config and script know no tensors.'),
  zone(
    './shared/graph',
    ['./shared/{onnx,model,rl,plan,config,script}'],
    'graph → onnx → model → rl: imports point left only.',
  ),
  zone(
    './shared/onnx',
    ['./shared/{model,rl,plan,config,script}'],
    'graph → onnx → model → rl: imports point left only.',
  ),
  zone('./shared/model', ['./shared/{rl,plan,config,script}'], 'graph → onnx → model → rl: imports point left only.'),
  zone('./activities', ['./workflows', './workers', './cli'], 'activities never refer to those who drive them.'),
  zone(
    './audit',
    ['./workflows', './workers', './cli', './runs', './bootstrap'],
    'The auditor shares ids, errors, types and the forms of documents with what it audits, and no code.',
  ),
  zone('./workers', ['./cli'], 'workers and cli do not import each other.'),
];
const nodeGlobals = Object.fromEntries(
  [
    'process',
    'console',
    'URL',
    'fetch',
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'setImmediate',
    'Buffer',
    'AbortSignal',
    'AbortController',
    'TextEncoder',
    'TextDecoder',
    'performance',
    'structuredClone',
  ].map((name) => [name, 'readonly' as const]),
);
const driver = (name: string, where: string) => ({ name, message: `${name} is met once: in ${where}.` });
const noMongo = driver('mongodb', 'activities/store');
const noOrt = driver('onnxruntime-node', 'activities/runtime');
const banned = (paths: { name: string; message: string }[], patterns: { group: string[]; message: string }[] = []) => ({
  'no-restricted-imports': ['error', { paths, patterns }] as ['error', object],
});

export default tseslint.config(
  { ignores: ['node_modules', '.metaagentx', 'docs', 'tests/fixtures'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver({ alwaysTryTypes: true })] },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-restricted-paths': ['error', { zones }],
      ...banned([noMongo, noOrt]),
    },
  },
  {
    files: ['shared/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: banned(
      [noMongo, noOrt],
      [{ group: ['node:*', '@temporalio/*'], message: 'shared/ is pure: no I/O, clock, environment or Temporal.' }],
    ),
  },
  {
    files: ['workflows/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      ...banned(
        [noMongo, noOrt],
        [
          { group: ['node:*'], message: 'Workflow code is deterministic: no Node built-ins.' },
          {
            group: ['**/shared/{graph,onnx,model,rl,config,script,verify}/*'],
            message: 'Workflows move ids and small numbers only.',
          },
          {
            group: ['@temporalio/!(workflow|common)'],
            message: 'Only @temporalio/workflow and common exist in the workflow sandbox.',
          },
        ],
      ),
    },
  },
  {
    files: ['activities/store/**/*.ts'],
    rules: banned([noOrt]),
  },
  {
    files: ['audit/**/*.ts'],
    rules: {
      ...banned([noOrt]),
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '/activities/(?!store/forms/)|/shared/(?!domain/|errors)',
              allowTypeImports: true,
              message:
                'Types only: the auditor shares ids, errors, types and the forms of documents with what it audits.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['activities/runtime/**/*.ts'],
    rules: banned([noMongo]),
  },
  {
    files: ['tests/**/*.ts', '**/*.test.ts', 'bench/**/*.ts'],
    rules: {
      'no-restricted-imports': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['temporal.config.ts', 'eslint.config.ts', 'vitest.config.ts', 'runs/**/*.ts'],
    rules: { 'import-x/no-default-export': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: {
      parserOptions: { projectService: false, project: false, program: null },
      globals: nodeGlobals,
    },
  },
  // The dashboard's script runs in the browser and sees the browser's globals.
  {
    files: ['cli/dashboard/assets/*.js'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: { parserOptions: { projectService: false, project: false, program: null } },
  },
  { files: ['cli/dashboard/assets/*.js'], rules: { 'no-undef': 'off' } },
  { files: ['**/*.cjs'], rules: { 'no-undef': 'off', '@typescript-eslint/no-require-imports': 'off' } },
  // The guest's files run inside the isolate: they see the isolate's globals, and the runtime strips their modules.
  { files: ['activities/runtime/script/guest/**/*.mjs'], rules: { 'no-undef': 'off' } },
);
