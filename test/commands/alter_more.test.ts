import { scriptTest } from './script_test.ts';

await scriptTest('alter_more');
