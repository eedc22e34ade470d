BEGIN TRANSACTION;
CREATE TABLE agents (
        agent TEXT PRIMARY KEY, incarnation INTEGER NOT NULL, gone INTEGER NOT NULL, address TEXT NOT NULL);
INSERT INTO "agents" VALUES('agent1',1,0,'/tmp/onceproof-kept/agent1.1.sock');
CREATE TABLE attempts (
        message TEXT NOT NULL, attempt INTEGER NOT NULL, error TEXT, failed_ns BIGINT NOT NULL,
        PRIMARY KEY (message, attempt));
INSERT INTO "attempts" VALUES('18eceb5f04aa9d74066a7ee90aa1',1,'{"errorMessage": "attempt 1", "errorType": "ValueError", "stackTrace": ["  File \"/srv/onceproof/implementation/platform/functions/child.py\", line 129, in serve\n    body = as_bytes(handler(event, context), int(result_max))\n                    ^^^^^^^^^^^^^^^^^^^^^^^", "  File \"/srv/kept/functions/failing.py\", line 2, in handler\n    raise ValueError(f\"attempt {context.attempt}\")"]}',1796069145273690154);
CREATE TABLE configs (
        owner TEXT NOT NULL, function TEXT NOT NULL, qualifier TEXT NOT NULL, body TEXT NOT NULL,
        created_ns BIGINT NOT NULL, modified_ns BIGINT NOT NULL, PRIMARY KEY (owner, function, qualifier));
INSERT INTO "configs" VALUES('alice','failing','LATEST','{"maxAsyncRetryAttempts": 1, "maxAsyncEventAgeInSeconds": 604800}',1796069144554592753,1796069144554592753);
CREATE TABLE members (scheduler TEXT PRIMARY KEY, beat_until_ns BIGINT NOT NULL);
INSERT INTO "members" VALUES('scheduler1',1796069150569058273);
CREATE TABLE messages (
        message TEXT PRIMARY KEY, message_key TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, task TEXT NOT NULL,
        submission TEXT NOT NULL, visible_at_ns BIGINT NOT NULL, leased_until_ns BIGINT NOT NULL,
        receipt TEXT, holder TEXT, deleted_at_ns BIGINT, received INTEGER NOT NULL DEFAULT 0);
INSERT INTO "messages" VALUES('18eceb5efbe22f40cc56df2ce8c7','alice/echo/done0/r53bd5d2e-fd00-46d4-87ba-3e6cea5c6e77','alice','alice/echo/done0','r53bd5d2e-fd00-46d4-87ba-3e6cea5c6e77',1796069154663059814,1796069154663059814,'scheduler1.18eceb5efd10255c.1',NULL,1796069144870920757,0);
INSERT INTO "messages" VALUES('18eceb5efdb0d87c8fe4bee3411d','alice/echo/done1/rda04f9ef-2b83-40fc-b48e-f8d914e3a37c','alice','alice/echo/done1','rda04f9ef-2b83-40fc-b48e-f8d914e3a37c',1796069154700724100,1796069154700724100,'scheduler1.18eceb5f01ed2384.2',NULL,1796069144879387542,0);
INSERT INTO "messages" VALUES('18eceb5eff309a85f6e27f6da62f','alice/echo/done2/rd509e384-e521-471d-8610-ca128f3a3f37','alice','alice/echo/done2','rd509e384-e521-471d-8610-ca128f3a3f37',1796069154700830348,1796069154700830348,'scheduler1.18eceb5f01eec28c.3',NULL,1796069144895018287,0);
INSERT INTO "messages" VALUES('18eceb5f0095b4301f5021c451a1','bob/echo/done0/r9b3ebd81-e002-470c-bc46-e3cdf0d2cf8b','bob','bob/echo/done0','r9b3ebd81-e002-470c-bc46-e3cdf0d2cf8b',1796069154735971438,1796069154735971438,'scheduler1.18eceb5f0406f86e.5',NULL,1796069145124463369,0);
INSERT INTO "messages" VALUES('18eceb5f00df4cc39ce3748b41aa','alice/shop/echo/done0/r0bf4aa0a-1999-4a49-8028-5aaefa2e7a50','alice','alice/shop/echo/done0','r0bf4aa0a-1999-4a49-8028-5aaefa2e7a50',1796069154735848835,1796069154735848835,'scheduler1.18eceb5f04051983.4',NULL,1796069145155642857,0);
INSERT INTO "messages" VALUES('18eceb5f04aa9d74066a7ee90aa1','alice/failing/failed/r8e0e077a-8317-43bc-a704-4afa433105b3','alice','alice/failing/failed','r8e0e077a-8317-43bc-a704-4afa433105b3',1796069154762825731,1796069154762825731,'scheduler1.18eceb5f05a0bc03.6',NULL,1796069145283067758,0);
INSERT INTO "messages" VALUES('18eceb5fb826f239ca84d4c2b3dc','alice/slow/open0/r27aa4e23-7e9b-47fb-a001-6ed677d623d5','alice','alice/slow/open0','r27aa4e23-7e9b-47fb-a001-6ed677d623d5',1796069157969447091,1796069157969447091,'scheduler1.18eceb5fb8baffa1.7','scheduler1',NULL,0);
INSERT INTO "messages" VALUES('18eceb5fb8283f75cae5392fd1af','alice/slow/open1/r78d71f25-160f-41cf-b4f3-a831eca809e1','alice','alice/slow/open1','r78d71f25-160f-41cf-b4f3-a831eca809e1',1796069157969479730,1796069157969479730,'scheduler1.18eceb5fb8bc9d9b.8','scheduler1',NULL,0);
INSERT INTO "messages" VALUES('18eceb5fb92c903125d125644a99','alice/slow/open2/r4e053065-9e12-40e5-b67e-4ab2d05563c3','alice','alice/slow/open2','r4e053065-9e12-40e5-b67e-4ab2d05563c3',1796069157969487291,1796069157969487291,'scheduler1.18eceb5fb99273ce.9','scheduler1',NULL,0);
INSERT INTO "messages" VALUES('18eceb5fbacec93b0cc043ca8b41','alice/slow/open3/r8797222a-02ef-4948-9c7d-296f6d2b31d6','alice','alice/slow/open3','r8797222a-02ef-4948-9c7d-296f6d2b31d6',1796069157969492980,1796069157969492980,'scheduler1.18eceb5fbcbbc923.10','scheduler1',NULL,0);
INSERT INTO "messages" VALUES('18eceb5fbc07cbd377162908f4d2','alice/slow/open4/r99d007ea-3373-47dd-aa97-1a6193dac998','alice','alice/slow/open4','r99d007ea-3373-47dd-aa97-1a6193dac998',1796069157969498168,1796069157969498168,'scheduler1.18eceb5fbcf9e1c5.11',NULL,1796069148143927912,0);
CREATE TABLE metrics (
    name TEXT NOT NULL, labels TEXT NOT NULL, value DOUBLE PRECISION NOT NULL, PRIMARY KEY (name, labels));
CREATE TABLE outbox (
        task TEXT NOT NULL, submission TEXT NOT NULL, owner TEXT NOT NULL, relayed INTEGER NOT NULL,
        PRIMARY KEY (task, submission));
INSERT INTO "outbox" VALUES('alice/echo/done0','r53bd5d2e-fd00-46d4-87ba-3e6cea5c6e77','alice',1);
INSERT INTO "outbox" VALUES('alice/echo/done1','rda04f9ef-2b83-40fc-b48e-f8d914e3a37c','alice',1);
INSERT INTO "outbox" VALUES('alice/echo/done2','rd509e384-e521-471d-8610-ca128f3a3f37','alice',1);
INSERT INTO "outbox" VALUES('bob/echo/done0','r9b3ebd81-e002-470c-bc46-e3cdf0d2cf8b','bob',1);
INSERT INTO "outbox" VALUES('alice/shop/echo/done0','r0bf4aa0a-1999-4a49-8028-5aaefa2e7a50','alice',1);
INSERT INTO "outbox" VALUES('alice/failing/failed','r8e0e077a-8317-43bc-a704-4afa433105b3','alice',1);
INSERT INTO "outbox" VALUES('alice/slow/open0','r27aa4e23-7e9b-47fb-a001-6ed677d623d5','alice',1);
INSERT INTO "outbox" VALUES('alice/slow/open1','r78d71f25-160f-41cf-b4f3-a831eca809e1','alice',1);
INSERT INTO "outbox" VALUES('alice/slow/open2','r4e053065-9e12-40e5-b67e-4ab2d05563c3','alice',1);
INSERT INTO "outbox" VALUES('alice/slow/open3','r8797222a-02ef-4948-9c7d-296f6d2b31d6','alice',1);
INSERT INTO "outbox" VALUES('alice/slow/open4','r99d007ea-3373-47dd-aa97-1a6193dac998','alice',1);
CREATE TABLE owners (owner TEXT PRIMARY KEY, scheduler TEXT NOT NULL, epoch BIGINT NOT NULL);
INSERT INTO "owners" VALUES('alice','scheduler1',1);
INSERT INTO "owners" VALUES('bob','scheduler1',1);
CREATE TABLE placements (
        message TEXT PRIMARY KEY, agent TEXT NOT NULL, incarnation INTEGER NOT NULL);
INSERT INTO "placements" VALUES('18eceb5efbe22f40cc56df2ce8c7','agent1',1);
INSERT INTO "placements" VALUES('18eceb5efdb0d87c8fe4bee3411d','agent1',1);
INSERT INTO "placements" VALUES('18eceb5eff309a85f6e27f6da62f','agent1',1);
INSERT INTO "placements" VALUES('18eceb5f00df4cc39ce3748b41aa','agent1',1);
INSERT INTO "placements" VALUES('18eceb5f0095b4301f5021c451a1','agent1',1);
INSERT INTO "placements" VALUES('18eceb5f04aa9d74066a7ee90aa1','agent1',1);
INSERT INTO "placements" VALUES('18eceb5fb826f239ca84d4c2b3dc','agent1',1);
INSERT INTO "placements" VALUES('18eceb5fb8283f75cae5392fd1af','agent1',1);
INSERT INTO "placements" VALUES('18eceb5fb92c903125d125644a99','agent1',1);
INSERT INTO "placements" VALUES('18eceb5fbacec93b0cc043ca8b41','agent1',1);
INSERT INTO "placements" VALUES('18eceb5fbc07cbd377162908f4d2','agent1',1);
CREATE TABLE receipts (
        message TEXT NOT NULL, receipt TEXT NOT NULL, PRIMARY KEY (message, receipt));
CREATE TABLE runs (
        message TEXT PRIMARY KEY, task TEXT NOT NULL, outcome TEXT NOT NULL, attempt INTEGER NOT NULL,
        result BLOB, error TEXT, started_ns BIGINT, ended_ns BIGINT, counted INTEGER NOT NULL DEFAULT 0, begun INTEGER NOT NULL DEFAULT 0);
INSERT INTO "runs" VALUES('18eceb5efbe22f40cc56df2ce8c7','alice/echo/done0','COMPLETED',1,X'7830',NULL,1796069144619231070,1796069144870810443,0,1);
INSERT INTO "runs" VALUES('18eceb5efdb0d87c8fe4bee3411d','alice/echo/done1','COMPLETED',1,X'7831',NULL,1796069144700791150,1796069144879358839,0,1);
INSERT INTO "runs" VALUES('18eceb5eff309a85f6e27f6da62f','alice/echo/done2','COMPLETED',1,X'7832',NULL,1796069144700845681,1796069144894991497,0,1);
INSERT INTO "runs" VALUES('18eceb5f00df4cc39ce3748b41aa','alice/shop/echo/done0','COMPLETED',1,X'00FF',NULL,1796069144735926851,1796069145155616618,0,1);
INSERT INTO "runs" VALUES('18eceb5f0095b4301f5021c451a1','bob/echo/done0','COMPLETED',1,X'626F622773',NULL,1796069144735987372,1796069145124433424,0,1);
INSERT INTO "runs" VALUES('18eceb5f04aa9d74066a7ee90aa1','alice/failing/failed','FAILED',2,NULL,'{"errorMessage": "attempt 2", "errorType": "ValueError", "stackTrace": ["  File \"/srv/onceproof/implementation/platform/functions/child.py\", line 129, in serve\n    body = as_bytes(handler(event, context), int(result_max))\n                    ^^^^^^^^^^^^^^^^^^^^^^^", "  File \"/srv/kept/functions/failing.py\", line 2, in handler\n    raise ValueError(f\"attempt {context.attempt}\")"]}',1796069144762883277,1796069145282963583,0,2);
INSERT INTO "runs" VALUES('18eceb5fb826f239ca84d4c2b3dc','alice/slow/open0','OPEN',1,NULL,NULL,1796069147767730924,NULL,0,1);
INSERT INTO "runs" VALUES('18eceb5fb8283f75cae5392fd1af','alice/slow/open1','OPEN',1,NULL,NULL,1796069147767792616,NULL,0,1);
INSERT INTO "runs" VALUES('18eceb5fb92c903125d125644a99','alice/slow/open2','OPEN',1,NULL,NULL,1796069147781852627,NULL,0,1);
INSERT INTO "runs" VALUES('18eceb5fbacec93b0cc043ca8b41','alice/slow/open3','OPEN',1,NULL,NULL,1796069147834902280,NULL,0,1);
INSERT INTO "runs" VALUES('18eceb5fbc07cbd377162908f4d2','alice/slow/open4','STOPPED',1,NULL,NULL,1796069147838951678,1796069147892064476,0,1);
CREATE TABLE schema_version (version INTEGER NOT NULL);
INSERT INTO "schema_version" VALUES(3);
CREATE TABLE tasks (
        task TEXT PRIMARY KEY, owner TEXT NOT NULL, function TEXT NOT NULL, task_id TEXT NOT NULL,
        payload BLOB, attempts INTEGER NOT NULL, expires_ns BIGINT, recorded_ns BIGINT NOT NULL,
        request_id TEXT NOT NULL, qualifier TEXT NOT NULL, stop_asked INTEGER NOT NULL, outcome TEXT NOT NULL DEFAULT '', on_success TEXT NOT NULL DEFAULT '', on_failure TEXT NOT NULL DEFAULT '', destination_status TEXT NOT NULL DEFAULT '');
INSERT INTO "tasks" VALUES('alice/echo/done0','alice','echo','done0',X'7830',1,1796155544593954471,1796069144594412704,'r53bd5d2e-fd00-46d4-87ba-3e6cea5c6e77','LATEST',0,'COMPLETED','acs:fc:::functions/echo','','Success');
INSERT INTO "tasks" VALUES('alice/echo/done1','alice','echo','done1',X'7831',1,1796155544611480674,1796069144612132828,'rda04f9ef-2b83-40fc-b48e-f8d914e3a37c','LATEST',0,'COMPLETED','','','');
INSERT INTO "tasks" VALUES('alice/echo/done2','alice','echo','done2',X'7832',1,1796155544624583918,1796069144644677352,'rd509e384-e521-471d-8610-ca128f3a3f37','LATEST',0,'COMPLETED','','','');
INSERT INTO "tasks" VALUES('bob/echo/done0','bob','echo','done0',X'626F622773',1,1796155544658925204,1796069144672686570,'r9b3ebd81-e002-470c-bc46-e3cdf0d2cf8b','LATEST',0,'COMPLETED','','','');
INSERT INTO "tasks" VALUES('alice/shop/echo/done0','alice','shop/echo','done0',X'00FF',1,1796155544677343279,1796069144677443528,'r0bf4aa0a-1999-4a49-8028-5aaefa2e7a50','LATEST',0,'COMPLETED','','','');
INSERT INTO "tasks" VALUES('alice/failing/failed','alice','failing','failed',X'',2,1796673944685259482,1796069144732438596,'r8e0e077a-8317-43bc-a704-4afa433105b3','LATEST',0,'FAILED','','','');
INSERT INTO "tasks" VALUES('alice/slow/open0','alice','slow','open0',X'32',1,1796155547745535071,1796069147745663633,'r27aa4e23-7e9b-47fb-a001-6ed677d623d5','LATEST',0,'','','','');
INSERT INTO "tasks" VALUES('alice/slow/open1','alice','slow','open1',X'32',1,1796155547756690048,1796069147756865310,'r78d71f25-160f-41cf-b4f3-a831eca809e1','LATEST',0,'','','','');
INSERT INTO "tasks" VALUES('alice/slow/open2','alice','slow','open2',X'32',1,1796155547764062940,1796069147766593847,'r4e053065-9e12-40e5-b67e-4ab2d05563c3','LATEST',0,'','','','');
INSERT INTO "tasks" VALUES('alice/slow/open3','alice','slow','open3',X'32',1,1796155547769103853,1796069147774520846,'r8797222a-02ef-4948-9c7d-296f6d2b31d6','LATEST',0,'','','','');
INSERT INTO "tasks" VALUES('alice/slow/open4','alice','slow','open4',X'32',1,1796155547777469997,1796069147780897722,'r99d007ea-3373-47dd-aa97-1a6193dac998','LATEST',1,'STOPPED','','','');
CREATE TABLE users (owner TEXT PRIMARY KEY);
INSERT INTO "users" VALUES('alice');
INSERT INTO "users" VALUES('bob');
CREATE INDEX outbox_pending ON outbox (relayed) WHERE relayed = 0;
CREATE INDEX messages_waiting ON messages (owner, visible_at_ns) WHERE deleted_at_ns IS NULL;
CREATE INDEX messages_task ON messages (task);
CREATE INDEX messages_deleted ON messages (deleted_at_ns) WHERE deleted_at_ns IS NOT NULL;
CREATE INDEX runs_task ON runs (task);
CREATE INDEX runs_open ON runs (message) WHERE outcome = 'OPEN';
CREATE INDEX tasks_recorded ON tasks (owner, function, recorded_ns, task_id);
CREATE INDEX tasks_outcome ON tasks (owner, function, outcome, recorded_ns, task_id);
CREATE INDEX runs_uncounted ON runs (message)
    WHERE counted = 0 AND outcome <> 'OPEN';
CREATE INDEX tasks_due ON tasks (task) WHERE destination_status = 'Due';
CREATE INDEX runs_stopping ON runs (message)
    WHERE outcome = 'STOPPED' AND ended_ns IS NULL;
COMMIT;
