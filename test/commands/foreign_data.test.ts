import { scriptTest } from './script_test.ts';

await scriptTest('foreign_data');
