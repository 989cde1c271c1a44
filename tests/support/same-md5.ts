/** Two different buffers with one MD5 that end in `rest`: two blocks of Wang and others (2004), which what follows does not change. */
export function withSameMd5(rest: Buffer): [Buffer, Buffer] {
  const block = Buffer.from(
    'd131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f8955ad340609f4b30283e488832571415a' +
      '085125e8f7cdc99fd91dbdf280373c5bd8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0' +
      'e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70',
    'hex',
  );
  const other = Buffer.from(block);
  for (const at of [19, 45, 59, 83, 109, 123]) other[at] = (other[at] as number) ^ 0x80;
  return [Buffer.concat([block, rest]), Buffer.concat([other, rest])];
}
