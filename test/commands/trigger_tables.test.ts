import { scriptTest } from './script_test.ts';

await scriptTest('trigger_tables');
