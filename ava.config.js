// Tests run from their TypeScript source. Workers are processes: native addons and signals need them to be.
export default {
  files: ['test/**/*.test.ts'],
  extensions: ['ts'],
  workerThreads: false,
  // A test that failed may have left something open: the file ends all the same.
  require: ['./test/support/complete.ts'],
  timeout: '2m',
};
