declare module 'libpg-query/wasm/libpg-query.js' {
  const load: () => Promise<unknown>;
  export default load;
}
