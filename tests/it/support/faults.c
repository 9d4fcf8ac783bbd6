/* Faults of the machine that a test can switch on: a disk without room, and a clock that is wrong. Loaded before the C library's own
   functions with LD_PRELOAD; the switches are files in the directory of FAULTS_DIR. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const char *place(const char *name, char *path)
{
    const char *directory = getenv("FAULTS_DIR");
    if (directory == NULL)
        return NULL;
    snprintf(path, PATH_MAX, "%s/%s", directory, name);
    return path;
}

/* A full disk lets nothing grow; what is there can be written over. */
static int is_refused(int fd, off_t end)
{
    char path[PATH_MAX];
    struct stat file;
    if (place("disk-full", path) == NULL || access(path, F_OK) != 0)
        return 0;
    return fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && file.st_size < end;
}

static size_t length_of(const struct iovec *parts, int count)
{
    size_t length = 0;
    for (int part = 0; part < count; part++)
        length += parts[part].iov_len;
    return length;
}

#define NEXT(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))
#define REFUSE_BEYOND(fd, end)       \
    if (is_refused((fd), (off_t)(end))) \
    {                                \
        errno = ENOSPC;              \
        return -1;                   \
    }

ssize_t write(int fd, const void *bytes, size_t count)
{
    REFUSE_BEYOND(fd, lseek(fd, 0, SEEK_CUR) + count)
    return NEXT(write)(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    REFUSE_BEYOND(fd, offset + count)
    return NEXT(pwrite)(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    REFUSE_BEYOND(fd, offset + count)
    return NEXT(pwrite64)(fd, bytes, count, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    REFUSE_BEYOND(fd, offset + length_of(parts, count))
    return NEXT(pwritev)(fd, parts, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    REFUSE_BEYOND(fd, offset + length_of(parts, count))
    return NEXT(pwritev64)(fd, parts, count, offset);
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
    if (is_refused(fd, offset + length))
        return ENOSPC;
    return NEXT(posix_fallocate)(fd, offset, length);
}

/* The wall clock is wrong by as many seconds as the file says. */
static time_t error_of_clock(void)
{
    char path[PATH_MAX], text[32] = {0};
    int saved = errno, fd;
    if (place("clock", path) == NULL || (fd = open(path, O_RDONLY)) < 0)
    {
        errno = saved;
        return 0;
    }
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    errno = saved;
    return length > 0 ? (time_t) strtol(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = NEXT(clock_gettime)(clock, now);
    if (result == 0 && clock == CLOCK_REALTIME)
        now->tv_sec += error_of_clock();
    return result;
}

int gettimeofday(struct timeval *now, void *zone)
{
    int result = NEXT(gettimeofday)(now, zone);
    if (result == 0)
        now->tv_sec += error_of_clock();
    return result;
}
