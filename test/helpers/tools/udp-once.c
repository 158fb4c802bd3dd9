// udp-once PORT: says "ready", waits for one datagram, prints it and sends it back. busybox has no udp server.

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0))};
  socklen_t size = sizeof address;
  char text[1500];
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    perror("udp-once");
    return 1;
  }
  printf("ready\n");
  fflush(stdout);
  ssize_t n = recvfrom(fd, text, sizeof text, 0, (struct sockaddr *)&address, &size);
  if (n < 0 || sendto(fd, text, (size_t)n, 0, (struct sockaddr *)&address, size) < 0) {
    perror("udp-once");
    return 1;
  }
  printf("%.*s\n", (int)n, text);
  return 0;
}
