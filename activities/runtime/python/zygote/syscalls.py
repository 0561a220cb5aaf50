"""System calls that a program may not make (x86_64 numbers). Data only; confine.py turns it into a filter.

Why each is here: new processes, sockets, System V and POSIX queues, signals to others, tracing, namespaces, mounts,
modules, keys, io_uring, other processes' memory, and every path call that Landlock does not see (chmod, chown, times,
extended attributes). Numbers above LAST_KNOWN answer ENOSYS, so a newer kernel opens nothing.
"""

LAST_KNOWN = 449

DENIED = {
    # shared memory, semaphores, queues
    'shmget': 29, 'shmat': 30, 'shmctl': 31, 'semget': 64, 'semop': 65, 'semctl': 66, 'shmdt': 67, 'msgget': 68,
    'msgsnd': 69, 'msgrcv': 70, 'msgctl': 71, 'semtimedop': 220, 'mq_open': 240, 'mq_unlink': 241,
    # sockets
    'socket': 41, 'connect': 42, 'accept': 43, 'bind': 49, 'listen': 50, 'socketpair': 53, 'accept4': 288,
    # processes and programs (clone, clone3 have rules of their own)
    'fork': 57, 'vfork': 58, 'execve': 59, 'execveat': 322,
    # signals, tracing, others' memory and files
    'kill': 62, 'tkill': 200, 'tgkill': 234, 'rt_sigqueueinfo': 129, 'rt_tgsigqueueinfo': 297, 'ptrace': 101,
    'process_vm_readv': 310, 'process_vm_writev': 311, 'kcmp': 312, 'pidfd_send_signal': 424, 'pidfd_open': 434,
    'pidfd_getfd': 438, 'process_madvise': 440, 'process_mrelease': 448,
    # identity, sessions, priorities, personality
    'setuid': 105, 'setgid': 106, 'setpgid': 109, 'setsid': 112, 'setreuid': 113, 'setregid': 114, 'setgroups': 116,
    'setresuid': 117, 'setresgid': 119, 'setfsuid': 122, 'setfsgid': 123, 'capset': 126, 'personality': 135,
    'setpriority': 141, 'sched_setparam': 142, 'sched_setscheduler': 144, 'prctl': 157, 'sched_setaffinity': 203,
    'ioprio_set': 251, 'sched_setattr': 314, 'syslog': 103,
    # files by ways that Landlock does not see
    'chmod': 90, 'fchmod': 91, 'chown': 92, 'fchown': 93, 'lchown': 94, 'utime': 132, 'mknod': 133, 'setxattr': 188,
    'lsetxattr': 189, 'fsetxattr': 190, 'removexattr': 197, 'lremovexattr': 198, 'fremovexattr': 199, 'utimes': 235,
    'mknodat': 259, 'fchownat': 260, 'futimesat': 261, 'fchmodat': 268, 'utimensat': 280, 'name_to_handle_at': 303,
    'open_by_handle_at': 304, 'memfd_create': 319, 'memfd_secret': 447,
    # the machine
    'uselib': 134, 'ustat': 136, 'sysfs': 139, 'pivot_root': 155, 'adjtimex': 159, 'chroot': 161, 'sync': 162,
    'acct': 163, 'settimeofday': 164, 'mount': 165, 'umount2': 166, 'swapon': 167, 'swapoff': 168, 'reboot': 169,
    'sethostname': 170, 'setdomainname': 171, 'iopl': 172, 'ioperm': 173, 'create_module': 174, 'init_module': 175,
    'delete_module': 176, 'quotactl': 179, 'lookup_dcookie': 212, 'clock_settime': 227, 'mbind': 237,
    'set_mempolicy': 238, 'kexec_load': 246, 'add_key': 248, 'request_key': 249, 'keyctl': 250, 'migrate_pages': 256,
    'unshare': 272, 'move_pages': 279, 'perf_event_open': 298, 'fanotify_init': 300, 'fanotify_mark': 301,
    'clock_adjtime': 305, 'syncfs': 306, 'setns': 308, 'finit_module': 313, 'kexec_file_load': 320, 'bpf': 321,
    'userfaultfd': 323, 'io_uring_setup': 425, 'io_uring_enter': 426, 'io_uring_register': 427, 'open_tree': 428,
    'move_mount': 429, 'fsopen': 430, 'fsconfig': 431, 'fsmount': 432, 'fspick': 433, 'mount_setattr': 442,
    'quotactl_fd': 443,
    # asynchronous I/O
    'io_setup': 206, 'io_destroy': 207, 'io_getevents': 208, 'io_submit': 209, 'io_cancel': 210,
}

CLONE, CLONE3, FCNTL, SETRLIMIT, PRLIMIT64 = 56, 435, 72, 160, 302
