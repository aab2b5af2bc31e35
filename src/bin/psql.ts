#!/usr/bin/env node
// psql: the interactive terminal. What it does stands in psql/.
import { main } from './psql/startup.ts';

await main();
