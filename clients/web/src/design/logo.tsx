import './logo.css';

export function Logo() {
  return (
    <svg class="logo" viewBox="4 8 56 52" aria-hidden="true">
      <path
        class="logo__answer"
        d="M30 27h18a7 7 0 0 1 7 7v9a7 7 0 0 1-6 6.9V56l-8-6H30a6 6 0 0 1-6-6V33a6 6 0 0 1 6-6z"
      />
      <path
        class="logo__word"
        d="M16 14h22a7 7 0 0 1 7 7v11a7 7 0 0 1-7 7H24l-9 7v-7.1a7 7 0 0 1-6-6.9V21a7 7 0 0 1 7-7z"
      />
    </svg>
  );
}
