import { scriptTest } from './script_test.ts';

await scriptTest('partition_keys');
