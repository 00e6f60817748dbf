GRANT ALL PRIVILEGES ON `onrush`.* TO 'onrush'@'%';
GRANT ALL PRIVILEGES ON `onrush\_%`.* TO 'onrush'@'%';
GRANT PROCESS ON *.* TO 'onrush'@'%';
GRANT SELECT ON `performance_schema`.* TO 'onrush'@'%';
