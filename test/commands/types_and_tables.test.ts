import { scriptTest } from './script_test.ts';

await scriptTest('types_and_tables');
