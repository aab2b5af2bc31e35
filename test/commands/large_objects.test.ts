import { scriptTest } from './script_test.ts';

await scriptTest('large_objects');
