import { scriptTest } from './script_test.ts';

await scriptTest('statistics_objects');
