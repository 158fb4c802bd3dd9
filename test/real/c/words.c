// Counts the words of its input, which is enough to need a C library.
#include <ctype.h>
#include <stdio.h>

int main(void) {
  unsigned long words = 0;
  int inside = 0;
  for (int c = getchar(); c != EOF; c = getchar()) {
    int is_word = !isspace(c);
    words += is_word && !inside;
    inside = is_word;
  }
  printf("%lu\n", words);
  return ferror(stdin) != 0;
}
