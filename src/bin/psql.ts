#!/usr/bin/env node
// psql: the interactive terminal. What it does stands in terminal/ (dist/bin/psql is the program).
import { main } from './terminal/startup.ts';

await main();
