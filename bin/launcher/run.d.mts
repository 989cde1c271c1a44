export function environmentWith(node: string): NodeJS.ProcessEnv;
export function npm(node: string, args: string[]): { status: number | null; output: string };
export function runWith(node: string, args: string[]): Promise<number>;
