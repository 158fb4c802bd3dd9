// udp-once PORT: says "ready", prints the first datagram, and sends back each until one says "bye". busybox has no udp
// server.

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int main(int argc, char** argv) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0))};
  socklen_t size = sizeof address;
  char text[1500];
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr*)&address, sizeof address) < 0) {
    perror("udp-once");
    return 1;
  }
  printf("ready\n");
  fflush(stdout);
  // Any answer may be lost, the last one with the network that ends with us: so it is given until "bye".
  for (int asked = 0;; asked++) {
    ssize_t n = recvfrom(fd, text, sizeof text, 0, (struct sockaddr*)&address, &size);
    if (n == 3 && memcmp(text, "bye", 3) == 0) return 0;
    if (n < 0 || sendto(fd, text, (size_t)n, 0, (struct sockaddr*)&address, size) < 0) {
      perror("udp-once");
      return 1;
    }
    if (asked == 0) printf("%.*s\n", (int)n, text);
    fflush(stdout);
  }
}
