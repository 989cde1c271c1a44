export function isInstalled(): boolean;
export function installDependencies(node: string): Promise<void>;
