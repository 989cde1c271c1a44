import { HomeScreen } from '#lib/ui/screens/home-screen.tsx';

export default function HomePage() {
  return <HomeScreen />;
}
