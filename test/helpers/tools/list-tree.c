// list-tree DIR [SKIP...]: one line for everything below DIR that can be seen of a file, in byte order of the paths:
//   path type mode uid gid size|major:minor mtime links first-name-of-hard-links content-or-target xattrs
// Tests run this same static program in a container and over a reference tree and compare the two texts. SKIP is a
// path (from DIR, "./proc") whose line and content are left out. Bytes outside of printable ASCII are written %XX.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static void die(const char *what, const char *path) {
  fprintf(stderr, "list-tree: %s %s: %s\n", what, path, strerror(errno));
  exit(1);
}

// --- sha256 (FIPS 180-4) ---

typedef struct {
  uint32_t h[8];
  uint64_t length;
  uint8_t block[64];
} Sha256;

static const uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

static uint32_t rotate(uint32_t x, int n) { return (x >> n) | (x << (32 - n)); }

static void sha256_block(Sha256 *s, const uint8_t *p) {
  uint32_t w[64], v[8];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
  }
  memcpy(v, s->h, sizeof v);
  for (int i = 0; i < 64; i++) {
    uint32_t e = v[4], a = v[0];
    uint32_t t1 = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + kRound[i] + w[i];
    uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
    for (int j = 7; j > 0; j--) v[j] = v[j - 1];
    v[4] += t1;
    v[0] = t1 + t2;
  }
  for (int i = 0; i < 8; i++) s->h[i] += v[i];
}

static void sha256_add(Sha256 *s, const uint8_t *data, size_t size) {
  for (; s->length % 64 == 0 && size >= 64; s->length += 64, data += 64, size -= 64) sha256_block(s, data);
  while (size > 0) {
    size_t used = s->length % 64, take = 64 - used < size ? 64 - used : size;
    memcpy(s->block + used, data, take);
    s->length += take;
    data += take;
    size -= take;
    if (s->length % 64 == 0) sha256_block(s, s->block);
  }
}

static void sha256_file(const char *path, char *hex) {
  Sha256 s = {{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}, 0, {0}};
  static uint8_t buffer[1 << 16];
  int fd = open(path, O_RDONLY | O_NOFOLLOW);
  if (fd < 0) die("open", path);
  ssize_t n;
  while ((n = read(fd, buffer, sizeof buffer)) > 0) sha256_add(&s, buffer, (size_t)n);
  if (n < 0) die("read", path);
  close(fd);
  uint64_t bits = s.length * 8;
  uint8_t tail[72] = {0x80};
  size_t pad = (s.length % 64 < 56 ? 56 : 120) - s.length % 64;
  for (int i = 0; i < 8; i++) tail[pad + i] = (uint8_t)(bits >> (56 - 8 * i));
  sha256_add(&s, tail, pad + 8);
  for (int i = 0; i < 8; i++) sprintf(hex + 8 * i, "%08x", s.h[i]);
}

// --- listing ---

static char **skips;

static void print_bytes(const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (c > ' ' && c < 127 && c != '%') putchar(c);
    else printf("%%%02X", c);
  }
}

static void print_string(const char *text) { print_bytes(text, strlen(text)); }

/** Names of one file: the first path seen stands for all. */
typedef struct Link {
  dev_t dev;
  ino_t ino;
  char *path;
  struct Link *next;
} Link;
static Link *links[4096];

static const char *first_name(const struct stat *st, const char *path) {
  Link **slot = &links[st->st_ino % 4096];
  for (Link *l = *slot; l; l = l->next)
    if (l->dev == st->st_dev && l->ino == st->st_ino) return l->path;
  Link *l = malloc(sizeof *l);
  *l = (Link){st->st_dev, st->st_ino, strdup(path), *slot};
  *slot = l;
  return path;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void print_xattrs(const char *path) {
  static char names[65536], value[65536];
  char *sorted[256];
  size_t count = 0;
  ssize_t size = llistxattr(path, names, sizeof names);
  if (size < 0) {
    if (errno == ENOTSUP || errno == EPERM) return;
    die("llistxattr", path);
  }
  for (char *name = names; name < names + size && count < 256; name += strlen(name) + 1) sorted[count++] = name;
  qsort(sorted, count, sizeof sorted[0], by_bytes);
  for (size_t i = 0; i < count; i++) {
    if (strncmp(sorted[i], "user.overlay.", 13) == 0 || strncmp(sorted[i], "trusted.overlay.", 16) == 0) continue;
    ssize_t n = lgetxattr(path, sorted[i], value, sizeof value);
    if (n < 0) die("lgetxattr", path);
    putchar(' ');
    print_string(sorted[i]);
    putchar('=');
    print_bytes(value, (size_t)n);
  }
}

static void list(const char *path) {
  for (char **skip = skips; *skip; skip++)
    if (strcmp(*skip, path) == 0) return;
  struct stat st;
  if (lstat(path, &st) < 0) die("lstat", path);
  const char *type = S_ISREG(st.st_mode) ? "file" : S_ISDIR(st.st_mode) ? "dir" : S_ISLNK(st.st_mode) ? "link"
                   : S_ISCHR(st.st_mode) ? "char" : S_ISBLK(st.st_mode) ? "block" : S_ISFIFO(st.st_mode) ? "fifo" : "socket";
  print_string(path);
  printf(" %s %04o %u %u ", type, st.st_mode & 07777, st.st_uid, st.st_gid);
  if (S_ISREG(st.st_mode)) printf("%lld", (long long)st.st_size);
  else if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) printf("%u:%u", major(st.st_rdev), minor(st.st_rdev));
  else printf("-");
  printf(" %lld.%09ld ", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
  if (S_ISDIR(st.st_mode) || st.st_nlink == 1) printf("1 -");
  else {
    printf("%lu ", (unsigned long)st.st_nlink);
    print_string(first_name(&st, path));
  }
  putchar(' ');
  if (S_ISREG(st.st_mode)) {
    char hex[65];
    sha256_file(path, hex);
    printf("%s", hex);
  } else if (S_ISLNK(st.st_mode)) {
    char target[4097];
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n < 0) die("readlink", path);
    print_bytes(target, (size_t)n);
  } else printf("-");
  print_xattrs(path);
  putchar('\n');
  if (!S_ISDIR(st.st_mode)) return;
  DIR *dir = opendir(path);
  if (!dir) die("opendir", path);
  char **names = NULL;
  size_t count = 0;
  struct dirent *entry;
  while ((entry = readdir(dir))) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if ((count & (count - 1)) == 0) names = realloc(names, (count ? 2 * count : 1) * sizeof *names);
    names[count++] = strdup(entry->d_name);
  }
  closedir(dir);
  qsort(names, count, sizeof *names, by_bytes);
  for (size_t i = 0; i < count; i++) {
    char *child;
    if (asprintf(&child, "%s/%s", path, names[i]) < 0) die("asprintf", path);
    list(child);
    free(child);
    free(names[i]);
  }
  free(names);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: list-tree DIR [SKIP...]\n");
    return 2;
  }
  skips = argv + 2;
  if (chdir(argv[1]) < 0) die("chdir", argv[1]);
  list(".");
  if (fflush(stdout) != 0 || ferror(stdout)) die("write", "stdout");
  return 0;
}
