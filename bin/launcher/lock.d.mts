export function identityOf(pid: number): string | null;
export function tryLock(file: string): boolean;
export function holderOf(file: string): number | null;
export function unlock(file: string): void;
export function withLock<T>(file: string, work: () => T | Promise<T>): Promise<T>;
