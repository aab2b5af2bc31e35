// How CALL and DO tell the function they call that it may end the transaction. Whoever runs a function takes the word at once,
// so that it does not reach what the function calls.
export const procedureCall = { nonatomic: false };

export function takeNonatomic(): boolean {
  const { nonatomic } = procedureCall;
  procedureCall.nonatomic = false;
  return nonatomic;
}
