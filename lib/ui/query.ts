/** The query of a page as Next gives it: a parameter may come several times. */
export type PageQuery = Promise<Record<string, string | string[] | undefined>>;

/** The one value of a parameter, or undefined when it is absent or came twice. */
export async function oneOf(query: PageQuery, name: string): Promise<string | undefined> {
  const value = (await query)[name];
  return typeof value === 'string' ? value : undefined;
}
