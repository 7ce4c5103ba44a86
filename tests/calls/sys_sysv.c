/* System V semaphores and message queues, POSIX message queues. */
#include "check.h"
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

struct message {
    long type;
    char text[16];
};

int main(void)
{
    struct message out = { 3, "by queue" }, in = { 0, "" };
    char name[32], b[64] = "";
    int q = msgget(IPC_PRIVATE, 0600);
    if (q >= 0) {
        FACT(msgsnd(q, &out, sizeof out.text, 0) == 0);
        FACT(msgrcv(q, &in, sizeof in.text, 0, 0) == sizeof in.text);
        printf("%ld %s\n", in.type, in.text);
        FACT(msgrcv(q, &in, sizeof in.text, 0, IPC_NOWAIT) == -1 && errno == ENOMSG);
        FACT(msgctl(q, IPC_RMID, NULL) == 0);
    }
    int s = semget(IPC_PRIVATE, 1, 0600);
    if (s >= 0) {
        FACT(semop(s, &(struct sembuf){ 0, 2, 0 }, 1) == 0);
        FACT(semop(s, &(struct sembuf){ 0, -3, IPC_NOWAIT }, 1) == -1 && errno == EAGAIN);
        FACT(semctl(s, 0, GETVAL) == 2);
        FACT(semctl(s, 0, IPC_RMID) == 0);
    }
    snprintf(name, sizeof name, "/drd-%d", getpid());
    mqd_t m = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &(struct mq_attr){ .mq_maxmsg = 4, .mq_msgsize = 64 });
    if (m >= 0) {
        FACT(mq_unlink(name) == 0);
        FACT(mq_send(m, "posix", 6, 5) == 0);
        FACT(mq_receive(m, b, sizeof b, NULL) == 6 && !strcmp(b, "posix"));
    }
    return 0;
}
