// Packages without types that tests and tools use.
declare module 'pg';
