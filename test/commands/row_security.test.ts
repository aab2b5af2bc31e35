import { scriptTest } from './script_test.ts';

await scriptTest('row_security');
