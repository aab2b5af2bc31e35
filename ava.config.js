// Tests run from their TypeScript source. Workers are processes: native addons and signals need them to be.
export default {
  files: ['test/**/*.test.ts'],
  extensions: ['ts'],
  workerThreads: false,
  timeout: '2m',
};
